#!/usr/bin/env python3
"""Rebuilds the second messy workbook: openpyxl writes it, LibreOffice writes it again as ODS and XLSX."""
import datetime as dt, os, subprocess, sys, tempfile
from openpyxl import Workbook
from openpyxl.styles import Font
from openpyxl.cell.rich_text import CellRichText, TextBlock
from openpyxl.cell.text import InlineFont
wb=Workbook(); ws=wb.active; ws.title="Feuille 1"
ws.append(["Jour","Date","Heure début","Heure fin","Nom de l'événement","Catégorie","Lieu","Responsable(s)","Nombre de places","Crédits bénévoles","Visibilité","État","Notes internes","Journée entière"])
ws.append(["samedi",dt.date(2027,1,2),dt.time(18,30),dt.time(20,0),"Un","atelier","Halle","Ann",12,1.5,"Public","Confirmé","secret",None])
ws.append(["dimanche",dt.datetime(2027,1,3,0,0),0.75,"minuit","Deux","ATELIER","Halle","Bob",12.0,"2","Membres","à confirmer",None,None])
ws.append([None,"3 mars 2027","18h","19h15","Trois","Concert","Cour",None,None,None,None,None,None,None])
ws.append([None,46391,18,20,"Quatre",None,None,None,None,None,None,None,None,None])
ws.append([None,dt.date(2027,1,9),None,None,"Cinq",None,None,None,None,None,None,"ANNULEE",None,"oui"])
ws.append([None,dt.date(2027,1,10),dt.time(10),dt.time(12),CellRichText(TextBlock(InlineFont(strike=True),"Six barré")),None,None,None,None,None,None,None,None,None])
ws.append([None,dt.date(2027,1,11),dt.time(10),dt.time(12),CellRichText(TextBlock(InlineFont(strike=True),"Sept"),TextBlock(InlineFont(),"Sept bis")),None,None,None,None,None,None,None,None,None])
ws.append([None,dt.date(2027,1,12),dt.timedelta(hours=25,minutes=30),None,"Huit",None,None,None,None,None,None,None,None,None])
ws["B9"].number_format="DD/MM/YYYY"; 
for r in range(2,12):
    for c in (3,4):
        if isinstance(ws.cell(r,c).value,dt.time): ws.cell(r,c).number_format="HH:MM"
ws.append([None,dt.date(2027,1,13),dt.time(10),dt.time(12),"Neuf filtré",None,"Autre"])
ws.auto_filter.ref="A1:N12"; ws.auto_filter.add_filter_column(6,["Halle"]); ws.row_dimensions[12].hidden=True
ws2=wb.create_sheet("Mars 2027"); ws2.append(["PROGRAMME DE MARS"]); ws2.merge_cells("A1:D1"); ws2.append([]); ws2.append(["Quand ?","","Quoi ?","Où ?"]); ws2.append(["Jour","Heure"]);
ws2.append(["lundi 1er","18h30 à 20h","Réunion","Bureau"]); ws2.append(["Mardi 2/3","","Porte ouverte","Partout"]); ws2.append(["les mercredis","14h-16h","Atelier vélo","Garage"]); ws2.append(["du 5 au 7","","Festival","Cour"]); ws2.append(["sam 6 et dim 7","10h-12h","Bal","Cour"]); ws2.append(["dimanche 8","10h","Faux jour","x"]); ws2.append(["8","10h","Le huit","x"]); ws2.append(["fin mars","","À voir","x"]); ws2.append(["","19h","Sans date","x"]); ws2.append(["sam 20","le soir","Vague","x"])

here = os.path.dirname(os.path.abspath(__file__))
wb.save(f"{here}/openpyxl.xlsx")
with tempfile.TemporaryDirectory() as home:
    for source, form in [("openpyxl.xlsx", "ods"), ("openpyxl.ods", "xlsx:Calc MS Excel 2007 XML")]:
        out = home if form != "ods" else here
        subprocess.run(["soffice", f"-env:UserInstallation=file://{home}/lo", "--headless", "--convert-to", form, "--outdir", out, f"{here}/{source}"], check=True, stdout=subprocess.DEVNULL)
    os.replace(f"{here}/openpyxl.ods", f"{here}/libreoffice.ods")
    with open(f"{home}/openpyxl.xlsx", "rb") as made, open(f"{here}/libreoffice.xlsx", "wb") as kept:
        kept.write(made.read())
